"""All tables of the lake, in the order of the flow."""

from segspark.tables.features import CUSTOMER_FEATURES
from segspark.tables.operations import PUBLICATIONS, STAGE_RUNS
from segspark.tables.purchases import (
    CUSTOMER_DAYS,
    INGEST_BATCHES,
    REJECTED_TRANSACTIONS,
    TRANSACTIONS,
)
from segspark.tables.segments import (
    CUSTOMER_FUNNEL,
    CUSTOMER_SEGMENTS,
    SEGMENT_CANDIDATES,
    SEGMENT_IDENTITIES,
    SEGMENT_MODELS,
    SEGMENT_PROFILES,
)

ALL_TABLES = (
    TRANSACTIONS,
    REJECTED_TRANSACTIONS,
    INGEST_BATCHES,
    CUSTOMER_DAYS,
    CUSTOMER_FEATURES,
    SEGMENT_CANDIDATES,
    SEGMENT_MODELS,
    SEGMENT_IDENTITIES,
    CUSTOMER_SEGMENTS,
    CUSTOMER_FUNNEL,
    SEGMENT_PROFILES,
    PUBLICATIONS,
    STAGE_RUNS,
)
