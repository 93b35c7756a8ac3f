from celery import shared_task


@shared_task
def go():
    return 1
