"""The lines of public sets and shop exports are mapped as a person would map them."""

from pathlib import Path

import pytest

from tests.inferring import columns, inferred

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
