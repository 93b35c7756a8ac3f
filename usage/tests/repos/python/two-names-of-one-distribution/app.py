import attr


@attr.s
class A:
    pass
