"""Space in cells: grids, what cameras see of them, and heatmaps on the way there and back."""
