"""What the paper must have assumed: its claims over the box of the parameters that its text does not give.

`setting` says what is open and within which limits, `judge` judges the claims at one setting, `sample` and `search`
fill the box and refine, `analysis` and `sensitivity` find which parameter decides what, `report` writes tables and
figures. `elements` fits the circuit's elements.
"""
