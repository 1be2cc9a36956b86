"""Charts of their own: modules like the families', for a figure that one kind of result alone has."""
