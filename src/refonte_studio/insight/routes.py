"""The operations of what managers see."""

from refonte_studio.insight.routes_answers import operations as answers
from refonte_studio.insight.routes_figures import operations as figures
from refonte_studio.insight.routes_forecast import operations as forecast
from refonte_studio.web import Operation

operations: tuple[Operation, ...] = (*figures, *answers, *forecast)
