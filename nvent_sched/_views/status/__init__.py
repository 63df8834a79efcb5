"""One status model for every live view: the dashboard, plain HTML, text. Pure.

    store --events, records--> StatusModel --snapshot, delta_since(v), detail--> a view

`StatusModel` holds a row a job. Whoever feeds it (`scheduler._following`) reads the store in
slices at the start; from then on events move the rows, and the model says which records it
wants read again (`wanted`), so that nobody polls everything. A view asks for what has
changed since the version it has; every number of rows, runs and forgotten ids is bounded.

Times are instants; what depends on the present (late, ago) is decided by who draws, with
`now` as an argument, in a browser by its own clock.
"""

from nvent_sched._views.status.model import Delta, StatusModel
from nvent_sched._views.status.rows import Row, State, state_of

__all__ = ["Delta", "Row", "State", "StatusModel", "state_of"]
