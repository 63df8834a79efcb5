"""The trace of a simulation: what each step was, in a few words. Pure."""

from __future__ import annotations

from typing import Any

from nvent_sched._model.claims import STALE, STORED


def digest_of(verb: str, args: Any, answer: Any) -> str:
    """Say in a few words what a step was, without anything that is drawn elsewhere."""
    match verb:
        case "commit_plans":
            made = [
                f"{p.write.job.id}:{'stale' if v == STALE else v.fences}"
                for p, v in zip(args[0], answer, strict=True)
            ]
            return " ".join(made)
        case "begin":
            return " ".join(f"{run.id}#{run.fence}" for run in answer.runs)
        case "settle":
            return " ".join(
                f"{s.run.id}:{s.run.outcome or s.run.state}:{type(v).__name__}"
                for s, v in zip(args[0], answer, strict=True)
            )
        case "put_jobs":
            return " ".join(
                f"{w.job.id}:{w.job.status}:{v == STORED}"
                for w, v in zip(args[0], answer, strict=True)
            )
        case "take_lost":
            return " ".join([*answer.dead, *(run.id for run in answer.runs)])
        case _:
            return ""
