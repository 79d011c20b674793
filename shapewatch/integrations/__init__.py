"""Callbacks for trainers: one module for each, imported by whoever uses that trainer.

    from shapewatch.integrations.lightning import ShapeWatch
    from shapewatch.integrations.transformers import ShapeWatch
    from shapewatch.integrations.keras import ShapeWatch

Each puts a `WatchedStep` before the trainer's steps. That is all they do.
"""
