# Human activity recognition from smartphone accelerometer windows
# 1 WALKING  2 WALKING_UPSTAIRS  3 WALKING_DOWNSTAIRS  4 SITTING  5 STANDING  6 LAYING
import numpy as np
from keras.models import Sequential
from keras.layers import Input, Dense, Dropout, Flatten, Conv1D, MaxPooling1D
from keras.utils import to_categorical, set_random_seed

set_random_seed(11)


def load_group(n_windows, timesteps=128, n_signals=9):
    signals = []
    for _ in range(n_signals):
        signals.append(np.random.randn(n_windows, timesteps))
    return np.dstack(signals).astype("float32")


def load_dataset_group(n):
    X = load_group(n)
    y = np.random.randint(1, 7, size=(n, 1))
    y[:6, 0] = [1, 2, 3, 4, 5, 6]
    return X, y


def load_dataset():
    trainX, trainy = load_dataset_group(240)
    testX, testy = load_dataset_group(80)
    print(trainX.shape, trainy.shape)
    print(testX.shape, testy.shape)
    # one hot encode y
    trainy = to_categorical(trainy)
    testy = to_categorical(testy)
    return trainX, trainy, testX, testy


def evaluate_model(trainX, trainy, testX, testy, activities):
    verbose, epochs, batch_size = 0, 1, 32
    n_timesteps, n_features = trainX.shape[1], trainX.shape[2]
    n_outputs = len(activities)
    model = Sequential()
    model.add(Input(shape=(n_timesteps, n_features)))
    model.add(Conv1D(filters=32, kernel_size=3, activation="relu"))
    model.add(Conv1D(filters=32, kernel_size=3, activation="relu"))
    model.add(Dropout(0.5))
    model.add(MaxPooling1D(pool_size=2))
    model.add(Flatten())
    model.add(Dense(50, activation="relu"))
    model.add(Dense(n_outputs, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(trainX, trainy, epochs=epochs, batch_size=batch_size, verbose=verbose)
    _, accuracy = model.evaluate(testX, testy, batch_size=batch_size, verbose=0)
    return accuracy


def run_experiment(repeats=1):
    activities = ["walking", "upstairs", "downstairs", "sitting", "standing", "laying"]
    trainX, trainy, testX, testy = load_dataset()
    scores = list()
    for r in range(repeats):
        score = evaluate_model(trainX, trainy, testX, testy, activities) * 100.0
        print(">#%d: %.3f" % (r + 1, score))
        scores.append(score)
    print("Accuracy: %.3f%% (+/-%.3f)" % (np.mean(scores), np.std(scores)))


run_experiment()
