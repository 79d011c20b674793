# house prices from photos + listing attributes
import numpy as np
from tensorflow.keras.layers import (Input, Dense, Conv2D, MaxPooling2D, Flatten,
                                     BatchNormalization, Dropout, concatenate)
from tensorflow.keras.models import Model
from tensorflow.keras.optimizers import Adam


ZIPS = [91901, 92276, 92677, 93446]


def load_house_attributes(n):
    rs = np.random.RandomState(42)
    return np.rec.fromarrays([
        rs.randint(1, 6, n),
        rs.randint(1, 4, n),
        rs.randint(600, 5000, n),
        rs.choice(ZIPS, n),
        rs.randint(90_000, 2_000_000, n).astype("float32"),
    ], names="bedrooms,bathrooms,area,zipcode,price")


def load_house_images(df):
    return np.random.RandomState(0).randint(0, 256, (len(df), 64, 64, 3)).astype("float32") / 255.0


def train_test_split(attrs, images, test_size=0.25, random_state=42):
    order = np.random.RandomState(random_state).permutation(len(attrs))
    cut = int(len(attrs) * (1 - test_size))
    tr, te = order[:cut], order[cut:]
    return attrs[tr], attrs[te], images[tr], images[te]


def process_attributes(train, test):
    def one(part):
        cont = np.stack([part[c].astype("float32") for c in ("bedrooms", "bathrooms", "area")], 1)
        zips = np.stack([(part["zipcode"] == z).astype("float32") for z in ZIPS], 1)
        return cont, zips
    (tr_c, tr_z), (te_c, te_z) = one(train), one(test)
    lo, hi = tr_c.min(0), tr_c.max(0)
    tr_c, te_c = (tr_c - lo) / (hi - lo), (te_c - lo) / (hi - lo)
    return np.hstack([tr_z, tr_c]), np.hstack([te_z, te_c])


def create_mlp(dim):
    i = Input(shape=(dim,), name="attrs")
    x = Dense(8, activation="relu")(i)
    x = Dense(4, activation="relu")(x)
    return Model(i, x)


def create_cnn(width, height, depth, filters=(8, 16)):
    i = Input(shape=(height, width, depth), name="photo")
    x = i
    for f in filters:
        x = Conv2D(f, (3, 3), padding="same", activation="relu")(x)
        x = BatchNormalization(axis=-1)(x)
        x = MaxPooling2D((2, 2))(x)
    x = Flatten()(x)
    x = Dense(16, activation="relu")(x)
    x = Dropout(0.5)(x)
    x = Dense(4, activation="relu")(x)
    return Model(i, x)


print("[INFO] loading...")
df = load_house_attributes(60)
images = load_house_images(df)
(trainAttrX, testAttrX, trainImagesX, testImagesX) = train_test_split(
    df, images, test_size=0.25, random_state=42)

maxPrice = trainAttrX["price"].max()
trainY = trainAttrX["price"] / maxPrice
testY = testAttrX["price"] / maxPrice
trainAttrX, testAttrX = process_attributes(trainAttrX, testAttrX)

mlp = create_mlp(trainAttrX.shape[1])
cnn = create_cnn(64, 64, 3)
combined = concatenate([mlp.output, cnn.output])
x = Dense(4, activation="relu")(combined)
x = Dense(1, activation="linear")(x)
model = Model(inputs=[mlp.input, cnn.input], outputs=x)
model.compile(loss="mean_absolute_percentage_error", optimizer=Adam(learning_rate=1e-3))

print("[INFO] training model...")
model.fit(
    x=[trainAttrX, trainImagesX], y=trainY,
    validation_data=([testAttrX, testImagesX], testY),
    epochs=1, batch_size=8, verbose=2)

preds = model.predict([testAttrX, testImagesX], verbose=0)
diff = preds.flatten() - testY
print("[INFO] mean abs diff: {:.2f}%".format(np.abs(diff / testY).mean() * 100))
