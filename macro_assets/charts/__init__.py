"""Charts: frames in, a Plotly figure in the house style out.

Belongs here: one module per chart of the catalog, named like it, whose `figure(chart, frames, labels)` draws tables or
observations it is handed, and whose `READS` names the labels it reads; what those labels are (`labels.py`); the house
style (`style.py`); the small SVG drawing of a figure (`preview.py`). Does not belong here: reading tables or writing
files, formulas (`transforms`), words that the catalog has (titles, names of series), pages (`publishing`). Importing
the room loads no Plotly.
"""
