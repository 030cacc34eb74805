"""What the paper must have assumed: its claims over the box of the parameters that its text does not give.

`setting` says what is open and within which limits, `point` judges the claims at one setting, `sample` fills the box
and refines, `emulator` and `sensitivity` say which parameter decides what, `page` draws and tables it.
"""
