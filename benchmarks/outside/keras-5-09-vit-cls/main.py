import numpy as np
import keras
from keras import layers, ops


class PatchEmbed(layers.Layer):
    def __init__(self, patch, dim, **kwargs):
        super().__init__(**kwargs)
        self.proj = layers.Conv2D(dim, patch, strides=patch)
        self.flat = layers.Reshape((-1, dim))

    def call(self, x):
        return self.flat(self.proj(x))


class AddClassToken(layers.Layer):
    def build(self, shape):
        self.cls = self.add_weight(shape=(1, 1, shape[-1]), initializer="zeros", name="cls_token")

    def call(self, x):
        b = ops.shape(x)[0]
        tok = ops.broadcast_to(self.cls, (b, 1, ops.shape(x)[-1]))
        return ops.concatenate([tok, x], axis=1)


class PositionalEncoding(layers.Layer):
    def __init__(self, length, dim, **kwargs):
        super().__init__(**kwargs)
        self.pos = self.add_weight(shape=(1, length, dim),
                                   initializer=keras.initializers.RandomNormal(stddev=0.02),
                                   name="pos_embedding")

    def call(self, x):
        return x + self.pos


class EncoderBlock(layers.Layer):
    def __init__(self, dim, heads, mlp, drop=0.1, **kwargs):
        super().__init__(**kwargs)
        self.n1 = layers.LayerNormalization(epsilon=1e-6)
        self.n2 = layers.LayerNormalization(epsilon=1e-6)
        self.att = layers.MultiHeadAttention(heads, dim // heads, dropout=drop)
        self.mlp = keras.Sequential([
            layers.Dense(mlp, activation="gelu"), layers.Dropout(drop),
            layers.Dense(dim), layers.Dropout(drop)])

    def call(self, x, training=None):
        h = self.n1(x)
        x = x + self.att(h, h, training=training)
        return x + self.mlp(self.n2(x), training=training)


class ViT(keras.Model):
    def __init__(self, image_size=48, patch_size=8, dim=32, depth=2, heads=4, n_classes=7):
        super().__init__()
        n_patches = (image_size // patch_size) ** 2
        self.patches = PatchEmbed(patch_size, dim)
        self.cls = AddClassToken()
        self.pos = PositionalEncoding(n_patches, dim)
        self.drop = layers.Dropout(0.1)
        self.blocks = [EncoderBlock(dim, heads, dim * 2) for _ in range(depth)]
        self.norm = layers.LayerNormalization(epsilon=1e-6)
        self.head = layers.Dense(n_classes)

    def call(self, images, training=None):
        x = self.patches(images)
        x = self.cls(x)
        x = self.drop(self.pos(x), training=training)
        for blk in self.blocks:
            x = blk(x, training=training)
        return self.head(self.norm(x)[:, 0])


def main():
    # FER-like faces, 7 emotions
    faces = np.random.rand(48, 48, 48, 1).astype("float32")
    emotion = np.random.randint(0, 7, size=(48,))
    vit = ViT()
    vit.compile(
        optimizer=keras.optimizers.AdamW(1e-3, weight_decay=1e-4),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
    )
    vit.fit(faces, emotion, batch_size=16, epochs=1, validation_split=0.25, verbose=2)
    logits = vit.predict(faces[:3], verbose=0)
    print(logits.argmax(-1))


if __name__ == "__main__":
    main()
