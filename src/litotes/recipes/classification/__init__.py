"""Systems for classes: labels of tables and texts, a part of which is wrong."""
