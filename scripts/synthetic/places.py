"""Countries, regions and shops."""

COUNTRIES = ("DE", "AT", "CH", "FR", "NL")
COUNTRY_SHARES = (0.45, 0.1, 0.1, 0.2, 0.15)
UNKNOWN_COUNTRY = len(COUNTRIES)
COUNTRY_CODES = (*COUNTRIES, "XX")
"""By number; the last one is no country."""
REGIONS_PER_COUNTRY = 4
REGION_CODES = (
    *("DE-BY", "DE-NW", "DE-BE", "DE-HH"),
    *("AT-9", "AT-6", "AT-7", "AT-5"),
    *("CH-ZH", "CH-BE", "CH-VD", "CH-GE"),
    *("FR-IDF", "FR-PAC", "FR-BRE", "FR-GES"),
    *("NL-NH", "NL-ZH", "NL-UT", "NL-NB"),
)
"""Some regions of each country in turn, by ISO 3166-2."""
SHOPS_PER_COUNTRY = 12
WEB = len(COUNTRIES) * SHOPS_PER_COUNTRY
APP = WEB + 1
STORE_CODES = (
    *(
        f"{country}-{number:02d}"
        for country in COUNTRIES
        for number in range(1, SHOPS_PER_COUNTRY + 1)
    ),
    "WEB",
    "APP",
)
"""By number; the last two are the channels without a shop."""
