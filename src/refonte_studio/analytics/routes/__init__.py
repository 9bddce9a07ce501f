"""The operations of what managers see."""

from refonte_studio.analytics.routes.answers import operations as answers
from refonte_studio.analytics.routes.figures import operations as figures
from refonte_studio.analytics.routes.forecasts import operations as forecast
from refonte_studio.web import Operation

operations: tuple[Operation, ...] = (*figures, *answers, *forecast)
