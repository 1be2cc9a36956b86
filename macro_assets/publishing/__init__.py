"""Publishing: figures in, documents out.

Belongs here: the pages that readers open, today one self-contained HTML page per chart and an index of them, and how
text of others is made harmless where it is shown. Does not belong here: drawing (`charts`; figures and previews arrive
as text), reading the lake, writing files, sending anything.
"""
