"""From pairwise log-odds to groups over all views."""
