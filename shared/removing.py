"""A project with all that belongs to it is taken away."""

from shared.store import Store


async def remove_project(store: Store, workspace_id: str, project_id: str) -> None:
    """Its jobs with their reports, its runs, then itself: what is cut short can be done again."""
    for job in await store.jobs(workspace_id, project_id):
        await store.delete_job(workspace_id, job.id)
    while await store.delete_project_runs(workspace_id, project_id):
        pass
    await store.delete_project(workspace_id, project_id)
