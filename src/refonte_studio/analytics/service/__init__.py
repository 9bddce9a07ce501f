"""What other rooms use of `analytics`."""

from refonte_studio.analytics.service.figures import figures

__all__ = ["figures"]
