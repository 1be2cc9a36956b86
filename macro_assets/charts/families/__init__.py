"""Families of charts: each a module that draws any entry of the catalog whose `draws` is its name.

Belongs here: the form of a figure, and what of it an entry may choose (`Parameters`). Does not belong here: the name of
a series, an indicator or a model, transforms of series (`drawing.py` brings them through the entry's steps).
"""
