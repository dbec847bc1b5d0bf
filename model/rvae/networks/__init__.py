"""Encoders, decoders, posteriors and likelihoods, exchangeable by name, and the loss.

Each exchangeable part has an interface in one module and a registry in another:

    architecture.py   architectures.py    encoders with their decoders
    posterior.py      posteriors.py       q(z|x)
    likelihood.py     likelihoods.py      p(x|z) of numeric channels
"""
