"""What a file is about is recognised, and what it does not hold is asked for."""

from pathlib import Path

import pytest

from tests.inferring import choice, columns, inferred

OTHERS = {
    "Olist customers": (
        "customers",
        "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state\n"
        "06b8999e,861eff47,14409,franca,SP\n",
        {"customer_id": "customer_unique_id", "region": "customer_state"},
    ),
    "H&M customers": (
        "customers",
        "customer_id,FN,Active,club_member_status,fashion_news_frequency,age,postal_code\n"
        "a1,1,1,ACTIVE,NONE,49,52043ee2\na2,1,1,LEFT,Regularly,25,2973abc5\n",
        {"customer_id": "customer_id", "region": "postal_code",
         "attributes": ["club_member_status", "fashion_news_frequency", "age"]},
    ),
    "customers with consents": (
        "customers",
        "Customer ID,Full Name,Date of birth,Country,Newsletter,Loyalty level\n"
        "1,Ann Lee,1980-02-01,DE,yes,gold\n2,Bob Ray,1990-05-04,DE,no,silver\n",
        {"customer_id": "Customer ID", "birth_date": "Date of birth", "country": "Country",
         "consents": {"newsletter": "Newsletter"}, "attributes": ["Loyalty level"]},
    ),
    "Instacart products": (
        "products",
        "product_id,product_name,aisle_id,department_id\n1,Chocolate Cookies,61,19\n",
        {"product_id": "product_id", "description": "product_name",
         "category_levels": ["department_id", "aisle_id"]},
    ),
    "products": (
        "products",
        "sku,title,brand,subcategory,category\nA-1,Red Mug,Kay,mugs,kitchen\n"
        "A-2,Blue Mug,Kay,bowls,kitchen\n",
        {"product_id": "sku", "description": "title", "brand": "brand",
         "category_levels": ["category", "subcategory"]},
    ),
    "REES46 events": (
        "events",
        "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,"
        "user_session\n2019-10-01 00:00:00 UTC,view,44600062,21,a.b,shiseido,35.79,541312140,s1\n"
        "2019-10-01 00:00:01 UTC,purchase,44600063,21,a.b,shiseido,5.79,541312141,s2\n",
        {"customer_id": "user_id", "event_at": "event_time", "event_type": "event_type",
         "product_id": "product_id"},
    ),
    "e-mail events": (
        "events",
        "timestamp;customer_id;event;campaign;channel\n"
        "2022-01-01 10:00:00;7;open;spring;mail\n2022-01-02 10:00:00;8;click;spring;mail\n",
        {"customer_id": "customer_id", "event_at": "timestamp", "event_type": "event",
         "campaign_id": "campaign", "channel": "channel"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", OTHERS)
def test_other_entities_are_recognised(tmp_path: Path, title: str) -> None:
    entity, content, expected = OTHERS[title]
    found = inferred(tmp_path, content)
    assert choice(found, "entity").value == entity
    assert columns(found) == expected


def test_events_that_are_all_purchases_are_transactions(tmp_path: Path) -> None:
    _, content, _ = OTHERS["REES46 events"]
    found = inferred(tmp_path, content.replace("view", "purchase"))
    assert found.entity == "transactions"
    assert columns(found)["line_amount"] == "price"


MISSING = {
    "Instacart orders": (
        "order_id,user_id,eval_set,order_number,order_dow,order_hour_of_day,"
        "days_since_prior_order\n2539329,1,prior,1,2,8,\n",
        {"transaction_at", "line_amount"},
    ),
    "Olist order items": (
        "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value\n"
        "00010242,1,4244733e,48436dad,2017-09-19 09:45:35,58.90,13.29\n",
        {"customer_id", "transaction_at"},
    ),
    "Amazon without buyers": (
        "amazon-order-id\tpurchase-date\tproduct-name\tsku\tquantity\tcurrency\titem-price\t"
        "ship-country\n111-1\t2019-06-01T12:00:00+00:00\tRed Mug\tM-1\t1\tUSD\t12.00\tUS\n",
        {"customer_id"},
    ),
    "dunnhumby's days": (
        "household_key,BASKET_ID,DAY,PRODUCT_ID,QUANTITY,SALES_VALUE,STORE_ID,RETAIL_DISC,"
        "TRANS_TIME,WEEK_NO\n2375,26984851472,1,1004906,1,1.39,364,-0.6,1631,1\n",
        {"transaction_at"},
    ),
}


@pytest.mark.parametrize("title", MISSING)
def test_what_a_set_does_not_hold_is_asked_for_and_not_guessed(tmp_path: Path, title: str) -> None:
    content, missing = MISSING[title]
    found = inferred(tmp_path, content)
    assert set(found.missing) == missing
    for target in missing:
        assert choice(found, "columns", target).value == "???"


def test_seconds_since_1970_are_not_read_and_it_is_said(tmp_path: Path) -> None:
    found = inferred(
        tmp_path,
        "timestamp,visitorid,order_id,price\n1433221332,257597,1,5.50\n1433224214,9,2,1.5\n",
    )
    assert set(found.missing) == {"transaction_at"}
    assert any("seconds since 1970" in note for note in found.notes)
