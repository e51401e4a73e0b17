"""Systems for search: retrievers, their negatives, and what trains them."""
