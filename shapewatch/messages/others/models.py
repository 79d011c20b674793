"""Messages of libraries of models and of what is trained with them: diffusion, environments, graphs, boosted trees."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

DIFFUSERS: tuple[Template, ...] = (
    Template(
        "`height` and `width` have to be divisible by {multiple:n} but are {height:n} and {width:n}",
        "model-input",
        {"tensor": "image"},
        seen="`height` and `width` have to be divisible by 8 but are 510 and 512.",
        release="all",
    ),
    Template(
        "`prompt_embeds` and `negative_prompt_embeds` must have the same shape when passed directly, but got:"
        " `prompt_embeds` {left:shape} != `negative_prompt_embeds` {right:shape}",
        "elementwise",
        seen="`prompt_embeds` and `negative_prompt_embeds` must have the same shape when passed directly, but got: "
        "`prompt_embeds` torch.Size([1, 154, 768]) != `negative_prompt_embeds` torch.Size([1, 77, 768]).",
        release="0.14 and later",
    ),
    Template(
        "Unexpected latents shape, got {given:shape}, expected {expected:shape}",
        "model-input",
        {"tensor": "latents"},
        seen="Unexpected latents shape, got torch.Size([1, 4, 64, 64]), expected (1, 4, 96, 96)",
        release="all",
    ),
)

ENVIRONMENTS: tuple[Template, ...] = (
    Template(
        "Observation spaces do not match: {_declared:text} != {_given:text}",
        "model-input",
        {"tensor": "observation"},
        seen="Observation spaces do not match: Box(0, 255, (84, 84, 4), uint8) != Box(0, 255, (4, 84, 84), uint8)",
        release="stable_baselines3",
    ),
    Template(
        "Action spaces do not match: {_declared:text} != {_given:text}",
        "model-input",
        {"tensor": "observation"},
        seen="Action spaces do not match: Discrete(4) != Discrete(6)",
        release="stable_baselines3",
    ),
    Template(
        "The observation returned by the `{_method:reset|step}()` method does not match the given observation space",
        "model-input",
        {"tensor": "observation"},
        seen="The observation returned by the `reset()` method does not match the given observation space",
        release="stable_baselines3",
    ),
)

DGL: tuple[Template, ...] = (
    Template(
        "Expect number of features to match number of {_of:nodes|edges} {_count:text}. Got {x:n} and {y:n} instead",
        "data-lengths",
        seen="Expect number of features to match number of nodes (len(u)). Got 2708 and 3327 instead.",
        release="0.4 and later",
    ),
)

XGBOOST: tuple[Template, ...] = (
    Template(
        "({expected:n} vs. {got:n}) : Number of columns does not match number of features in booster",
        "layer-width",
        seen="Check failed: learner_model_param_.num_feature >= p_fmat->Info().num_col_ (10 vs. 12) : Number of "
        "columns does not match number of features in booster.",
        release="1.0 and later",
    ),
)

TENSORRT: tuple[Template, ...] = (
    Template(
        "Static dimension mismatch while setting input shape for {tensor:word}. Set dimensions are {given:shape}."
        " Expected dimensions are {expected:shape}",
        "model-input",
        {"what": "exported program"},
        seen="Static dimension mismatch while setting input shape for images. Set dimensions are [1,3,480,640]. "
        "Expected dimensions are [1,3,640,640].",
        release="8.5 and later",
    ),
)
