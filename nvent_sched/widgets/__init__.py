r"""Live views of a scheduler in a notebook: a dashboard, and a plain view.

    store -> Follower -> StatusModel -> Hub -> LiveView  (anywidget: dashboard.js, .css)
                                           \\-> PlainView (ipywidgets), or a plain table

The `Hub` lives in the loop of the scheduler it shows, a thread of its own for a
`BlockingScheduler`: so updates stay live while a cell blocks the kernel. It is the only one
that writes to a widget once that is open, and it ends before the scheduler does; what was
shown is then replaced by a plain table.

Messages to the browser, each with a number; one that misses a number asks for everything:

==========  =======================================================================
``full``    the head, and all rows as one JSON buffer, built in slices of 500
``d``       rows that changed, at most 500, and ids that are gone; the head if it changed
``h``       a heartbeat, with the head
``res``     the reply to a click; ``detail``, ``lanes``: replies to a question
==========  =======================================================================

The budget: of ``d`` at most four a second, one ``h`` in five seconds if nothing happens,
and nothing while no view is on the screen; so it is far below the 1,000 messages a second
at which Jupyter begins to drop. Count-downs, elapsed times and lateness are the
browser's, from absolute times. Traits hold only the opening rows (200) and the options.
Measured in JupyterLab, Chromium without a graphics card, on two cores shared with others;
the page alone takes 3 to 5 % of the browser's thread:

==================  ==============  ==================
of                  80 jobs         10,000 jobs
==================  ==============  ==================
runs                37 a second     300 a second
messages            3.5 a second    1.6 a second
traffic             15 KB a second  129 KB a second
browser's thread    14 %, 60 fps    13 %, 59 fps
kernel, jobs too    3 % of a core   20 % of a core
first rows after    0.4 s           1.3 s
==================  ==============  ==================

From the browser: ``hello``, ``vis``, ``act``, ``detail``, ``want``, ``bye``. They may come
in any thread and are only queued there. None is needed for updates to go on; but a front
end that was silent for 90 s of an idle kernel is taken to be closed, so that nobody
buffers for it.

This module is imported with the package and must stay light: ipywidgets, anywidget and
IPython are imported when something is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched._model.showing import Dashboard, DashboardOptions, dashboard_of
from nvent_sched.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._engine.supervision import Engine

__all__ = ["Dashboard"]


@dashboard_of.register(Scheduler)
def _dashboard_of(
    scheduler: Scheduler,
    *,
    engine: Callable[[], Engine | None],
    options: DashboardOptions,
) -> Dashboard:
    from nvent_sched.widgets._dashboard import LiveDashboard  # noqa: PLC0415  light import

    return LiveDashboard(scheduler, engine=engine, options=options)
