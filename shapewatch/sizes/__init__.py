"""Which input sizes a model accepts: found by running it on shapes with others, never read off its layers.

search      the rule by which sizes fit, from a function that tells whether one does
passes      the model run on shapes, each set of sizes once, within a budget
named       what the axes of the inputs are called, from the layers that take them
together    axes that only fit when they are changed at the same time
given       near inputs that fit, where the given ones do not
survey      all of it, in order
gives       the sizes of what the model gives, in those of its inputs
"""
