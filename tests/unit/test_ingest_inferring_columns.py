"""The columns of public sets and shop exports are mapped as a person would map them."""

from pathlib import Path
from typing import Any

import pytest

from segspark.ingest.inferring.profiles import Choice
from segspark.ingest.inferring.source import Inferred, infer_source


def inferred(folder: Path, content: str, name: str = "shop.csv") -> Inferred:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return infer_source(path)


def columns(found: Inferred) -> dict[str, object]:
    mapped = found.source["columns"]
    assert isinstance(mapped, dict)
    return {target: choice.value for target, choice in mapped.items()}


def choice(found: Inferred, *place: str) -> Choice:
    node: Any = found.source
    for key in place:
        node = node[key]
    assert isinstance(node, Choice)
    return node


TRANSACTIONS = {
    "UCI Online Retail": (
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "536365,85123A,WHITE HANGING HEART,6,12/1/2010 8:26,2.55,17850,United Kingdom\n"
        "C536379,D,Discount,-1,12/13/2010 9:41,27.5,14527,United Kingdom\n",
        {"customer_id": "CustomerID", "transaction_at": "InvoiceDate", "order_id": "InvoiceNo",
         "product_id": "StockCode", "description": "Description", "quantity": "Quantity",
         "unit_price": "UnitPrice", "country": "Country"},
    ),
    "UCI Online Retail II": (
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
        "489434,85048,15CM CHRISTMAS GLASS BALL,12,2009-12-01 07:45:00,6.95,13085.0,France\n"
        "489435,22350,CAT BOWL,12,2009-12-01 07:46:00,2.55,,France\n",
        {"customer_id": "Customer ID", "transaction_at": "InvoiceDate", "order_id": "Invoice",
         "product_id": "StockCode", "description": "Description", "quantity": "Quantity",
         "unit_price": "Price", "country": "Country"},
    ),
    "CDNOW": (
        "user_id,order_dt,order_products,order_amount\n1,19970101,1,11.77\n2,19970112,5,77.0\n",
        {"customer_id": "user_id", "transaction_at": "order_dt", "quantity": "order_products",
         "line_amount": "order_amount"},
    ),
    "Complete Journey": (
        "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,"
        "coupon_match_disc,week,transaction_timestamp\n"
        "900,330,31198570044,1095275,1,0.5,0,0,0,1,2017-01-01 11:53:26\n",
        {"customer_id": "household_id", "transaction_at": "transaction_timestamp",
         "order_id": "basket_id", "product_id": "product_id", "quantity": "quantity",
         "line_amount": "sales_value",
         "discounts": ["retail_disc", "coupon_disc", "coupon_match_disc"],
         "store_id": "store_id"},
    ),
    "dunnhumby": (
        "SHOP_WEEK,SHOP_DATE,SHOP_HOUR,QUANTITY,SPEND,PROD_CODE,CUST_CODE,BASKET_ID,STORE_CODE\n"
        "200732,20071007,10,1,1.01,PRD0900005,CUST0000410727,994107800548406,STORE00001\n",
        {"customer_id": "CUST_CODE", "transaction_at": "SHOP_DATE", "order_id": "BASKET_ID",
         "product_id": "PROD_CODE", "quantity": "QUANTITY", "line_amount": "SPEND",
         "store_id": "STORE_CODE"},
    ),
    "Ta-Feng": (
        "TRANSACTION_DT,CUSTOMER_ID,AGE_GROUP,PIN_CODE,PRODUCT_SUBCLASS,PRODUCT_ID,AMOUNT,ASSET,"
        "SALES_PRICE\n11/13/2000,01104905,45-49,115,110411,4710199010372,2,24,30\n",
        {"customer_id": "CUSTOMER_ID", "transaction_at": "TRANSACTION_DT",
         "product_id": "PRODUCT_ID", "quantity": "AMOUNT", "line_amount": "SALES_PRICE"},
    ),
    "H&M": (
        "t_dat,customer_id,article_id,price,sales_channel_id\n"
        "2018-09-20,000058a12d5b43e67d225668fa1f8d618c13dc232df0cad8ffe7ad4a1091e318,0663713001,"
        "0.0508305084745762,2\n",
        {"customer_id": "customer_id", "transaction_at": "t_dat", "product_id": "article_id",
         "line_amount": "price", "store_id": "sales_channel_id"},
    ),
    "Superstore": (
        "Row ID,Order ID,Order Date,Ship Date,Ship Mode,Customer ID,Customer Name,Segment,Country,"
        "City,State,Region,Product ID,Category,Sub-Category,Product Name,Sales,Quantity,Discount,"
        "Profit\n1,CA-2016-152156,11/8/2016,11/11/2016,Second Class,CG-12520,Claire Gute,Consumer,"
        "United States,Henderson,Kentucky,South,FUR-BO-10001798,Furniture,Bookcases,"
        "Bush Bookcase,261.96,2,0,41.9136\n",
        {"customer_id": "Customer ID", "transaction_at": "Order Date", "order_id": "Order ID",
         "product_id": "Product ID", "description": "Product Name", "quantity": "Quantity",
         "line_amount": "Sales", "country": "Country"},
    ),
    "REES46 purchases": (
        "event_time,order_id,product_id,category_id,category_code,brand,price,user_id\n"
        "2020-04-24 11:50:39 UTC,2294359932054536986,1515966223509089906,2268105426648170900,"
        "electronics.tablet,samsung,162.01,1515915625441993984\n",
        {"customer_id": "user_id", "transaction_at": "event_time", "order_id": "order_id",
         "product_id": "product_id", "line_amount": "price"},
    ),
    "Shopify": (
        "Name,Email,Financial Status,Paid at,Currency,Subtotal,Total,Discount Code,"
        "Discount Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,"
        "Lineitem discount,Billing Name,Billing Country,Shipping Country\n"
        "#1001,ann@x.org,paid,2021-03-04 12:33:12 +0100,EUR,25.00,30.00,,0.00,"
        "2021-03-04 12:33:11 +0100,2,Red Mug,10.00,MUG-R,0.00,Ann Lee,DE,DE\n"
        "#1001,ann@x.org,,,,,,,,2021-03-04 12:33:11 +0100,1,Spoon,5.00,SPN,0.00,,,\n",
        {"customer_id": "Email", "transaction_at": "Created at", "order_id": "Name",
         "product_id": "Lineitem sku", "description": "Lineitem name",
         "quantity": "Lineitem quantity", "unit_price": "Lineitem price",
         "discounts": ["Lineitem discount"], "currency": "Currency",
         "country": "Billing Country"},
    ),
    "WooCommerce": (
        "Order Number,Order Status,Order Date,Email (Billing),Country Code (Billing),SKU,"
        "Item Name,Quantity,Item Cost\n"
        "1501,completed,2022-05-01 10:22,bob@x.org,GB,TEE-M,Blue Tee,2,9.99\n"
        "1502,completed,2022-05-02 11:00,cid@x.org,GB,TEE-L,Blue Tee L,1,10.99\n",
        {"customer_id": "Email (Billing)", "transaction_at": "Order Date",
         "order_id": "Order Number", "product_id": "SKU", "description": "Item Name",
         "quantity": "Quantity", "unit_price": "Item Cost"},
    ),
    "Magento": (
        "increment_id,customer_id,customer_email,created_at,sku,name,qty_ordered,price,row_total\n"
        "100000001,7,a@x.org,2021-01-05 10:00:00,AB-1,Lamp,2,10.50,21.00\n"
        "100000002,8,b@x.org,2021-01-06 10:00:00,AB-2,Desk Lamp,3,5.00,15.00\n",
        {"customer_id": "customer_id", "transaction_at": "created_at", "order_id": "increment_id",
         "product_id": "sku", "description": "name", "quantity": "qty_ordered",
         "line_amount": "row_total"},
    ),
    "Stripe": (
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Description,Customer ID,"
        "Customer Email\n"
        "ch_1,2022-01-05 10:00:00,12.50,0.00,eur,Plan A,cus_A1,a@x.org\n"
        "ch_2,2022-01-06 10:00:00,13.50,0.00,eur,Plan B,cus_B1,b@x.org\n",
        {"customer_id": "Customer ID", "transaction_at": "Created date (UTC)",
         "description": "Description", "line_amount": "Amount", "currency": "Currency"},
    ),
    "Square": (
        "Date,Time,Time Zone,Category,Item,Qty,Price Point Name,SKU,Gross Sales,Discounts,"
        "Net Sales,Tax,Transaction ID,Customer ID,Location\n"
        "04/27/22,10:30:00,Eastern Time,Coffee,Flat White,2,Regular,FW-1,$8.00,-$1.00,$7.00,$0.50,"
        "tx9,CUST1,Main St\n",
        {"customer_id": "Customer ID", "transaction_at": "Date", "order_id": "Transaction ID",
         "product_id": "SKU", "description": "Item", "quantity": "Qty",
         "line_amount": "Net Sales", "store_id": "Location"},
    ),
    "a German merchandise system": (
        "Kundennummer;Bestellnummer;Bestelldatum;Artikelnummer;Bezeichnung;Menge;Einzelpreis;"
        "Gesamtpreis;Währung;Land\n"
        "10023;A-1;31.01.2022;4711;Blaue Tasse;2;4,95;9,90;EUR;DE\n"
        "10024;A-2;01.02.2022;4712;Rote Tasse;3;5,00;15,00;EUR;AT\n",
        {"customer_id": "Kundennummer", "transaction_at": "Bestelldatum",
         "order_id": "Bestellnummer", "product_id": "Artikelnummer",
         "description": "Bezeichnung", "quantity": "Menge", "line_amount": "Gesamtpreis",
         "currency": "Währung", "country": "Land"},
    ),
    "SAP": (
        "VBELN\tKUNNR\tERDAT\tMATNR\tARKTX\tKWMENG\tNETWR\tWAERK\n"
        "90000001\t0000100001\t20220131\tM-01\tPump small\t2\t200.00\tEUR\n"
        "90000002\t0000100002\t20220201\tM-02\tPump big\t1\t250.00\tEUR\n",
        {"customer_id": "KUNNR", "transaction_at": "ERDAT", "order_id": "VBELN",
         "product_id": "MATNR", "description": "ARKTX", "quantity": "KWMENG",
         "line_amount": "NETWR", "currency": "WAERK"},
    ),
    "a French shop": (
        "Numéro client;Numéro commande;Date commande;Référence produit;Désignation;Quantité;"
        "Prix unitaire;Pays\n"
        "C1;F100;31/01/2022;R-9;Tasse bleue;2;4,95;France\nC2;F101;01/02/2022;R-8;Bol;1;3,10;"
        "Belgique\n",
        {"customer_id": "Numéro client", "transaction_at": "Date commande",
         "order_id": "Numéro commande", "product_id": "Référence produit",
         "description": "Désignation", "quantity": "Quantité", "unit_price": "Prix unitaire",
         "country": "Pays"},
    ),
    "a Spanish shop": (
        "id_cliente,pedido,fecha,codigo_producto,descripcion,cantidad,precio_unitario,importe,"
        "pais\n7,P1,2022-01-31,K1,Taza,2,4.95,9.90,ES\n8,P2,2022-02-01,K2,Plato,3,2.00,6.00,ES\n",
        {"customer_id": "id_cliente", "transaction_at": "fecha", "order_id": "pedido",
         "product_id": "codigo_producto", "description": "descripcion", "quantity": "cantidad",
         "line_amount": "importe", "country": "pais"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", TRANSACTIONS)
def test_the_lines_of_a_shop_are_mapped(tmp_path: Path, title: str) -> None:
    content, expected = TRANSACTIONS[title]
    found = inferred(tmp_path, content)
    assert columns(found) == expected
    assert not found.missing


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


def test_seconds_since_1970_are_not_read_and_it_is_said(tmp_path: Path) -> None:
    found = inferred(
        tmp_path,
        "timestamp,visitorid,order_id,price\n1433221332,257597,1,5.50\n1433224214,9,2,1.5\n",
    )
    assert set(found.missing) == {"transaction_at"}
    assert any("seconds since 1970" in note for note in found.notes)


def lines(*rows: tuple[object, ...], header: str) -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows), ""])


QUANTITIES = (1, 2, 3, 5)
HEADER = "customer,date,sku,qty,price"


def priced(money: str) -> str:
    """Two products in several quantities; the column `price` is of a unit or of the line."""
    prices = {"A-1": 2.5, "B-1": 4.0}
    rows = [
        (f"c{n}", "2022-01-31", sku, n, each if money == "unit" else each * n)
        for sku, each in prices.items()
        for n in QUANTITIES
    ]
    return lines(*rows, header=HEADER)


@pytest.mark.parametrize(("money", "target"), [("unit", "unit_price"), ("line", "line_amount")])
def test_an_ambiguous_price_is_settled_by_how_it_grows(
    tmp_path: Path, money: str, target: str
) -> None:
    found = choice(inferred(tmp_path, priced(money)), "columns", target)
    assert found.value == "price"
    assert found.is_certain
    assert "with a product's quantity" in found.reason


def test_an_ambiguous_price_without_evidence_is_to_be_checked(tmp_path: Path) -> None:
    found = inferred(tmp_path, lines(("c1", "2022-01-31", "A", 1, 2.5), header=HEADER))
    assert choice(found, "columns", "unit_price") == Choice(
        "price", "by its name only; it could be the money of the line", is_certain=False
    )


def test_an_amount_that_is_the_whole_orders_is_not_the_lines(tmp_path: Path) -> None:
    rows = [("c1", "2022-01-31", "o1", 2, 3.0, 11.0), ("c1", "2022-01-31", "o1", 1, 5.0, 11.0)]
    found = inferred(
        tmp_path, lines(*rows, header="customer,date,order,qty,unit price,total amount")
    )
    assert choice(found, "columns", "unit_price").value == "unit price"
    assert "is the order's" in choice(found, "columns", "unit_price").reason


def test_an_amount_that_is_not_quantity_times_price_is_to_be_checked(tmp_path: Path) -> None:
    rows = [("c1", "2022-01-31", 2, 3.0, 5.5), ("c2", "2022-01-31", 3, 5.0, 12.0)]
    found = inferred(tmp_path, lines(*rows, header="customer,date,qty,unit price,line total"))
    amount = choice(found, "columns", "line_amount")
    assert (amount.value, amount.is_certain) == ("line total", False)


def test_a_discount_that_is_a_share_is_not_money(tmp_path: Path) -> None:
    rows = [("c1", "2022-01-31", 5.5, 0.2, 1.1), ("c2", "2022-01-31", 12.0, 0, 0)]
    header = "customer,date,line total,discount,discount amount"
    assert columns(inferred(tmp_path, lines(*rows, header=header)))["discounts"] == [
        "discount amount"
    ]


def test_a_name_whose_content_is_something_else_is_not_believed(tmp_path: Path) -> None:
    rows = [("c1", "soon", 5.5), ("c2", "later", 7.5)]
    found = inferred(tmp_path, lines(*rows, header="customer,order date,amount"))
    assert set(found.missing) == {"transaction_at"}


def test_a_longer_name_that_holds_a_usual_one_is_to_be_checked(tmp_path: Path) -> None:
    rows = [("c1", "2022-01-31", 5.5), ("c2", "2022-02-01", 7.5)]
    found = inferred(tmp_path, lines(*rows, header="hashed customer id v2,order date local,amount"))
    for target in ("customer_id", "transaction_at"):
        assert not choice(found, "columns", target).is_certain
        assert choice(found, "columns", target).reason.startswith("its name holds")


def test_customers_without_a_usual_name_are_found_by_content(tmp_path: Path) -> None:
    rows = [(f"k{n % 3}", f"o{n}", "2022-01-31", n + 0.5) for n in range(9)]
    rows += [(f"k{n % 3}", f"o{n}", "2022-01-31", 1.5) for n in range(9)]
    found = inferred(tmp_path, lines(*rows, header="whom,order_id,order_date,amount"))
    customer = choice(found, "columns", "customer_id")
    assert (customer.value, customer.is_certain) == ("whom", False)


def test_a_file_without_a_header_is_mapped_by_content(tmp_path: Path) -> None:
    orders = [
        ("536365", "17850", "2010-12-01 08:26:00", "United Kingdom", ("85123A", "71053A")),
        ("536366", "17850", "2010-12-02 08:28:00", "United Kingdom", ("22633B", "71053A")),
        ("536367", "13047", "2010-12-02 08:34:00", "France", ("85123A", "22633B")),
        ("536368", "13047", "2010-12-03 09:34:00", "France", ("85123A", "22745C")),
        ("536369", "12583", "2010-12-04 10:34:00", "Germany", ("22633B", "22745C")),
    ]
    names = {"85123A": "HANGING HEART", "71053A": "METAL LANTERN", "22633B": "HAND WARMER",
             "22745C": "POPPY PLAYHOUSE"}  # fmt: skip
    rows = [
        f"{order},{code},{names[code]},{2 + len(order) % 3 + i},{at},{1.5 + i},{who},{country}"
        for order, who, at, country, codes in orders
        for i, code in enumerate(codes)
    ]
    found = inferred(tmp_path, "\n".join([*rows, ""]))
    own = [
        "order_id", "product_id", "description", "quantity", "transaction_at", "line_amount",
        "customer_id", "country",
    ]  # fmt: skip
    assert choice(found, "format", "header").value is False
    assert choice(found, "format", "column_names").value == own
    assert columns(found) == {name: name for name in own}


def test_without_a_header_customers_of_several_days_are_no_orders(tmp_path: Path) -> None:
    rows = [(f"0{n % 5}7", f"2022010{1 + n % 3}", 1 + n % 2, 1.5 + n) for n in range(12)]
    found = columns(inferred(tmp_path, "\n".join(",".join(map(str, row)) for row in rows) + "\n"))
    assert "order_id" not in found
    assert found["customer_id"] == "customer_id"
