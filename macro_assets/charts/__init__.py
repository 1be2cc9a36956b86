"""Charts: frames in, a Plotly figure in the house style out.

Belongs here: how charts are drawn, `families/` for many of one form and `own/` for the others, each module with what
an entry may choose (`Parameters`), an entry that it draws (`EXAMPLE`), the labels it reads (`READS`) and
`figure(chart, frames, labels, parameters)`; series brought through the steps of the entry (`drawing.py`); what the
labels are (`labels.py`); what makes an entry wrong (`checking.py`); the house style (`style.py`); the small SVG drawing
of a figure (`preview.py`). Does not belong here: reading tables or writing files, formulas (`transforms`), words that
the catalog has (titles, names of series), pages (`publishing`). Importing the room loads no Plotly.
"""
