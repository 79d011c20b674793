"""Healthy architectures by name, with random weights and a small input each.

    architecture = find("torchvision/resnet18")
    model = architecture.built(mode="eval")
    model(*architecture.example())

Names are `family/model`. Inputs are as small as the architecture allows (mostly 64 × 64), with a batch of 2,
so that a pass takes milliseconds. A library is imported when the first of its models is built; what cannot be
built here raises `UnavailableError`, and the benchmarks list it as skipped with the reason.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from benchmarks import handwritten
from tests.support.torchvision_ops import declare_operators

Mode = Literal["eval", "train"]
Split = Literal["dev", "held_out", "all"]

HELD_OUT_SHARE = 0.4

TRUE_FAULTS = {"smp/MAnet-resnet18": "SW392", "smp/MAnet-mobilenet_v2": "SW392"}
"""What is wrong in the published networks themselves. The attention block of MAnet multiplies its map with
[batch, places, channels] and reshapes what comes out to [batch, channels, height, width] without a transposition."""


class UnavailableError(Exception):
    """An architecture that cannot be built here: a library is missing, or of another version."""


@dataclass(frozen=True)
class Input:
    """One input tensor: normal noise or, where `below` is given, integers in `range(below)`."""

    shape: tuple[int, ...]
    below: int | None = None

    def sample(self, generator: torch.Generator) -> Tensor:
        if self.below is None:
            return torch.randn(self.shape, generator=generator)
        return torch.randint(self.below, self.shape, generator=generator)


@dataclass(frozen=True)
class Architecture:
    """A model that runs: `build()` gives it, `inputs` are what its forward takes, in order.

    `modes` are those in which it runs on these inputs.
    """

    name: str
    build: Callable[[], nn.Module]
    inputs: tuple[Input, ...]
    modes: tuple[Mode, ...] = ("eval", "train")

    @property
    def family(self) -> str:
        return self.name.split("/")[0]

    @property
    def held_out(self) -> bool:
        """Whether rules must not be tuned on this architecture; decided by the name alone."""
        digest = hashlib.sha256(self.name.encode()).digest()
        return int.from_bytes(digest[:4], "big") / 2**32 < HELD_OUT_SHARE

    def example(self, seed: int = 0) -> tuple[Tensor, ...]:
        """The inputs, the same for the same seed; torch's global generator is left alone."""
        generator = torch.Generator().manual_seed(seed)
        return tuple(each.sample(generator) for each in self.inputs)

    def built(self, mode: Mode = "eval", seed: int = 0) -> nn.Module:
        """The model in this mode, with the same random weights for the same seed.

        Raises:
            UnavailableError: the model cannot be built here; the cause is chained.
        """
        torch.manual_seed(seed)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = self.build()
        except Exception as error:  # whatever a library's constructor may raise; reported, never hidden
            raise UnavailableError(f"{type(error).__name__}: {error}") from error
        return model.train(mode == "train")


def image(size: int = 64, channels: int = 3, batch: int = 2) -> tuple[Input, ...]:
    return (Input((batch, channels, size, size)),)


# torchvision


def _torchvision(name: str, **options: Any) -> nn.Module:
    declare_operators()
    import torchvision

    return torchvision.models.get_model(name, weights=None, **options)


def _torchvision_small(name: str, **options: Any) -> nn.Module:
    """A class of torchvision's, at a size for which it has no named model."""
    declare_operators()
    import torchvision

    return getattr(torchvision.models, name)(**options)


TORCHVISION_CLASSIFIERS = """
    resnet18 resnet34 resnet50 resnext50_32x4d wide_resnet50_2 densenet121 densenet169 squeezenet1_0
    squeezenet1_1 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large mnasnet0_5 mnasnet1_0
    shufflenet_v2_x0_5 shufflenet_v2_x1_0 efficientnet_b0 efficientnet_b1 efficientnet_v2_s
    regnet_x_400mf regnet_x_800mf regnet_y_400mf convnext_tiny swin_t swin_v2_t vgg11 vgg13_bn alexnet
"""


def _of_torchvision() -> Iterator[Architecture]:
    for name in TORCHVISION_CLASSIFIERS.split():
        yield Architecture(
            f"torchvision/{name}",
            partial(_torchvision, name, num_classes=10),
            image(96 if name == "alexnet" else 64),
        )
    yield Architecture("torchvision/googlenet", partial(_torchvision, "googlenet", init_weights=False), image(96))
    yield Architecture(
        "torchvision/inception_v3", partial(_torchvision, "inception_v3", init_weights=False), image(299)
    )
    yield Architecture(
        "torchvision/vit",
        partial(
            _torchvision_small,
            "VisionTransformer",
            image_size=64,
            patch_size=16,
            num_layers=4,
            num_heads=4,
            hidden_dim=64,
            mlp_dim=128,
        ),
        image(64),
    )
    yield Architecture("torchvision/vit_b_32", partial(_torchvision, "vit_b_32", image_size=96), image(96))
    yield Architecture(
        "torchvision/maxvit",
        partial(
            _torchvision_small,
            "MaxVit",
            input_size=(64, 64),
            stem_channels=16,
            partition_size=2,
            block_channels=[16, 32, 64],
            block_layers=[1, 2, 1],
            head_dim=8,
            stochastic_depth_prob=0.1,
        ),
        image(64),
    )
    for name in (
        "fcn_resnet50",
        "deeplabv3_resnet50",
        "deeplabv3_mobilenet_v3_large",
        "lraspp_mobilenet_v3_large",
    ):
        yield Architecture(
            f"torchvision/{name}",
            partial(_torchvision, name, weights_backbone=None, num_classes=5),
            image(64),
        )
    clip = (Input((2, 3, 8, 64, 64)),)
    for name in ("r3d_18", "mc3_18", "r2plus1d_18"):
        yield Architecture(f"torchvision/{name}", partial(_torchvision, name, num_classes=10), clip)
    yield Architecture("torchvision/swin3d_t", partial(_torchvision, "swin3d_t", num_classes=10), clip)
    yield Architecture("torchvision/raft_small", partial(_torchvision, "raft_small"), image(128) + image(128))


# timm


def _timm(name: str, **options: Any) -> nn.Module:
    declare_operators()
    import timm

    return timm.create_model(name, pretrained=False, **options)


TIMM = """
    repvgg_a0 mobileone_s0 gernet_s regnetz_b16 resnet33ts gcresnext26ts seresnext26ts lambda_resnet26t
    convmixer_768_32 convnext_atto convnextv2_atto crossvit_9_240 cs3darknet_s cs3darknet_focus_s
    darknet17 darknet53 cspresnet50 cspdarknet53 cspresnext50 darknetaa53 sedarknet21 cspnext_tiny
    davit_tiny densenet121 densenetblur121d dla34 dla46_c dla60_res2net dla60x_c dpn48b dpn68
    edgenext_xx_small edgenext_small efficientnet_b0 efficientnet_lite0 efficientnetv2_rw_t mnasnet_small
    mobilenetv2_050 mobilenetv4_conv_small mobilenetv4_hybrid_medium mobilenet_edgetpu_100 spnasnet_100
    fbnetc_100 mixnet_s tinynet_e tinynet_a efficientnet_es tf_efficientnet_b0 tf_efficientnetv2_b0
    efficientvim_m1 efficientvit_b0 efficientvit_m0 fasternet_t0 fastvit_t8 fastvit_sa12
    focalnet_tiny_srf ghostnet_050 ghostnetv2_100 hardcorenas_a hgnet_tiny hgnetv2_b0 hrnet_w18_small
    hrnet_w18_small_v2 inception_next_atto lcnet_035 lcnetv2_small mambaout_femto caformer_s18
    convformer_s18 poolformer_s12 poolformerv2_s12 mobilenetv3_small_050 fbnetv3_b
    tf_mobilenetv3_small_minimal_100 mobilevit_xxs mobilevitv2_050 mvitv2_tiny nasnetalarge nextvit_small
    nfnet_l0 nf_resnet26 nf_regnet_b0 eca_nfnet_l0 pnasnet5large pvt_v2_b0 rdnet_tiny regnetx_002
    regnety_002 regnetz_005 repghostnet_050 repvit_m0_9 res2net50_14w_8s res2next50 resnest14d resnest26d
    resnet10t resnet18d resnet26t resnetaa34d resnetblur18 seresnet18 resnetrs50 ecaresnet26t
    ecaresnet50t resnetv2_18 resnetv2_18d resnetv2_50 resnetv2_50x1_bit resnext26ts rexnet_100
    rexnetr_100 selecsls42 selecsls42b legacy_seresnet18 legacy_seresnext26_32x4d sequencer2d_s shvit_s1
    skresnet18 skresnet50 starnet_s1 swiftformer_xs tiny_vit_5m_224 tresnet_m twins_pcpvt_small
    twins_svt_small ese_vovnet19b_dw ese_vovnet19b_slim eca_vovnet39b vovnet39a legacy_xception
    xception41 xcit_nano_12_p16_224 iformer_t lowformer_b0 csatv2 cpubone_nano sam2_hiera_tiny
    vit_tiny_patch16_dinov3_qkvb
"""
"""These take 64 × 64 as they are."""

TIMM_SIZED = """
    coat_tiny coat_lite_tiny beit_base_patch16_224 botnet26t_256 eca_botnext26ts_256 cait_xxs24_224
    convit_tiny deit_tiny_patch16_224 deit_tiny_distilled_patch16_224 deit3_small_patch16_224
    efficientformerv2_s0 eva02_tiny_patch14_224 gcvit_xxtiny hiera_tiny_224 levit_128s levit_conv_128s
    coatnet_pico_rw_224 coatnext_nano_rw_224 maxvit_pico_rw_256 maxvit_rmlp_pico_rw_256 gmixer_12_224
    gmlp_ti16_224 mixer_s32_224 resmlp_12_224 nest_tiny pit_ti_224 pit_ti_distilled_224
    swin_tiny_patch4_window7_224 swin_s3_tiny_224 swinv2_tiny_window8_256 swinv2_cr_tiny_224
    tnt_s_patch16_224 visformer_tiny vit_tiny_patch16_224 vit_tiny_r_s16_p8_224
    vit_relpos_small_patch16_224 vit_srelpos_small_patch16_224 vitamin_small_224 volo_d1_224
    vit_pwee_patch16_reg1_gap_256
"""
"""These are built for one size; 64 × 64 is asked for."""

TIMM_LARGER = {
    "inception_v3": 96,
    "inception_v4": 96,
    "inception_resnet_v2": 96,
    "halonet26t": 256,
    "efficientformer_l1": 224,
}
"""These need the size given."""


def _of_timm() -> Iterator[Architecture]:
    for name in TIMM.split():
        yield Architecture(f"timm/{name}", partial(_timm, name, num_classes=10), image(64))
    for name in TIMM_SIZED.split():
        yield Architecture(f"timm/{name}", partial(_timm, name, num_classes=10, img_size=64), image(64))
    for name, size in TIMM_LARGER.items():
        yield Architecture(f"timm/{name}", partial(_timm, name, num_classes=10), image(size))


# segmentation_models_pytorch


def _segmentation(decoder: str, encoder: str, **options: Any) -> nn.Module:
    declare_operators()
    import segmentation_models_pytorch

    return getattr(segmentation_models_pytorch, decoder)(
        encoder_name=encoder, encoder_weights=None, classes=3, **options
    )


SEGMENTATION = {
    "Unet": ("resnet18", "mobilenet_v2", "efficientnet-b0", "vgg11_bn", "densenet121", "mit_b0"),
    "UnetPlusPlus": ("resnet18", "timm-regnetx_002", "tu-mobilenetv3_small_050"),
    "Linknet": ("resnet18", "mobilenet_v2"),
    "FPN": ("resnet18", "efficientnet-b0", "mit_b0"),
    "PSPNet": ("resnet18", "mobilenet_v2"),
    "PAN": ("resnet18", "timm-regnetx_002"),
    "DeepLabV3": ("resnet18", "mobilenet_v2"),
    "DeepLabV3Plus": ("resnet18", "efficientnet-b0"),
    "MAnet": ("resnet18", "mobilenet_v2"),
    "Segformer": ("resnet18", "mit_b0"),
    "UPerNet": ("resnet18", "tu-convnext_atto"),
}


def _of_segmentation() -> Iterator[Architecture]:
    for decoder, encoders in SEGMENTATION.items():
        for encoder in encoders:
            yield Architecture(
                f"smp/{decoder}-{encoder}",
                partial(_segmentation, decoder, encoder),
                image(128 if decoder == "PAN" else 64),
            )


# Handwritten


HANDWRITTEN: dict[str, tuple[Input, ...]] = {
    "lenet": image(28, channels=1),
    "plain_cnn": image(32),
    "view_cnn": image(32),
    "mlp": (Input((2, 64)),),
    "residual_mlp": (Input((2, 40)),),
    "highway": (Input((2, 30)),),
    "cifar_resnet": image(32),
    "preact_resnet": image(32),
    "bottleneck_resnet": image(64),
    "se_resnet": image(64),
    "resnet_1d": (Input((2, 12, 256)),),
    "resnet_3d": (Input((2, 1, 16, 16, 16)),),
    "small_densenet": image(32),
    "small_inception": image(32),
    "small_mobilenet": image(32),
    "cbam_net": image(32),
    "unet_transposed": image(32),
    "unet_upsample": image(48, channels=1),
    "unet_attention": image(32),
    "unet_1d": (Input((2, 2, 64)),),
    "diffusion_unet": (*image(32), Input((2,), below=1000)),
    "conv_autoencoder": image(28, channels=1),
    "vae": image(28, channels=1),
    "dcgan_generator": image(1, channels=100),
    "dcgan_discriminator": image(32),
    "conditional_gan": (Input((2, 32)), Input((2,), below=10)),
    "edsr": image(24),
    "srgan_generator": image(24),
    "feature_pyramid": image(64),
    "hourglass": image(64),
    "pyramid_pooling": image(48),
    "wavenet": (Input((2, 1, 100)),),
    "temporal_conv": (Input((2, 8, 40)),),
    "lstm_tagger": (Input((2, 12), below=100),),
    "lstm_skips": (Input((2, 15, 12)),),
    "gru_residual": (Input((2, 15, 10)),),
    "rnn_cells": (Input((2, 5, 6)),),
    "conv_lstm": (Input((2, 4, 3, 16, 16)),),
    "text_cnn": (Input((2, 30), below=200),),
    "seq2seq_attention": (Input((2, 9), below=50), Input((2, 6), below=50)),
    "tacotron_encoder": (Input((2, 21), below=40),),
    "transformer_own": (Input((2, 20), below=100),),
    "language_model": (Input((2, 20), below=128),),
    "torch_transformer_encoder": (Input((2, 18), below=64),),
    "torch_transformer_encoder_time_first": (Input((2, 18), below=64),),
    "torch_transformer_decoder": (*image(32), Input((2, 10), below=80)),
    "torch_transformer": (Input((2, 11), below=60), Input((2, 8), below=70)),
    "perceiver": (Input((2, 30, 20)),),
    "multihead_encoder": (Input((14, 2, 10)),),
    "vit_own": image(32),
    "mlp_mixer": image(32),
    "conformer": (Input((2, 60, 40)),),
    "siamese": image(28, channels=1) + image(28, channels=1),
    "graph_conv": (Input((2, 11, 7)), Input((2, 11, 11), below=2)),
    "graph_attention": (Input((13, 9)), Input((13, 13), below=2)),
    "pointnet": (Input((2, 3, 50)),),
    "two_tower": (Input((2,), below=50), Input((2, 5)), Input((2,), below=80)),
    "wide_and_deep": (Input((2, 3), below=20), Input((2, 6))),
    "film_fusion": (*image(32), Input((2, 8))),
    "dueling_q": image(84, channels=4),
    "audio_crnn": (Input((2, 1, 40, 50)),),
}


def _of_hand() -> Iterator[Architecture]:
    for name, inputs in HANDWRITTEN.items():
        yield Architecture(f"handwritten/{name}", handwritten.BUILDERS[name], inputs)


ARCHITECTURES: tuple[Architecture, ...] = (*_of_hand(), *_of_torchvision(), *_of_timm(), *_of_segmentation())


def find(name: str) -> Architecture:
    """The architecture of this full name.

    Raises:
        KeyError: the zoo has none of this name.
    """
    for architecture in ARCHITECTURES:
        if architecture.name == name:
            return architecture
    raise KeyError(name)


def select(patterns: Sequence[str] = (), split: Split = "all") -> list[Architecture]:
    """The architectures of a split whose name fits one of the patterns, in the zoo's order.

    A pattern is a full name (`timm/dla34`), a model's name (`dla34`) or has wildcards (`smp/*`, `*resnet*`);
    without a pattern, every architecture is chosen.

    Raises:
        ValueError: a pattern fits no name in the zoo.
    """

    def fits(architecture: Architecture, pattern: str) -> bool:
        return fnmatch(architecture.name, pattern) or fnmatch(architecture.name.split("/", 1)[1], pattern)

    for pattern in patterns:
        if not any(fits(architecture, pattern) for architecture in ARCHITECTURES):
            raise ValueError(f"no architecture is called {pattern}")
    chosen = [a for a in ARCHITECTURES if not patterns or any(fits(a, pattern) for pattern in patterns)]
    return [a for a in chosen if split == "all" or a.held_out == (split == "held_out")]
