"""The paper's circuit figures, computed and drawn: Fig. 4c-e and Extended Data Figs. 11c-d, 12, 13 and 14."""
