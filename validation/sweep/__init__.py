"""Sweeps: a stage at every point of a grid or list of its options, on any number of workers, as one table."""

from transslit.tasks import Task, Work
from validation.sweep.engine import sweep
from validation.sweep.plan import Point, Stage, plan
from validation.sweep.table import read_table

__all__ = ["Point", "Stage", "Task", "Work", "plan", "read_table", "sweep"]
