"""Public retail sets and shop exports that are recognised as a whole by their columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from segspark.ingest.inferring.known_columns import plain_name


@dataclass(frozen=True, slots=True)
class KnownSet:
    """A set whose columns have a meaning that is known, whatever their names suggest.

    Attributes:
        title: What it is called.
        marks: Columns, as `plain_name` has them, that a file of it has.
        columns: Target column → its column there; of several, separated by blanks, the first
            that there is, and all of them for `discounts` and `category_levels`.
        entity: What its rows are.
        currency: ISO 4217 code of its money; None: not known, or in a column.
        zone: Zone of its stamps; None: not known.
        rules: Kinds of line that it is known for, as the settings have them.
        discounts_deducted: Whether its money is net of its discounts.
        note: What a person should know about it.
    """

    title: str
    marks: str
    columns: Mapping[str, str]
    entity: str = "transactions"
    currency: str | None = None
    zone: str | None = None
    rules: Sequence[Mapping[str, str]] = field(default=())
    discounts_deducted: bool = True
    note: str | None = None


_UCI_RULES = (
    {"kind": "adjustment", "order_id_matches": "^A"},
    {"kind": "cancellation", "order_id_matches": "^C"},
    {"kind": "write_off", "quantity": "negative"},
    {"kind": "sample", "line_amount": "zero"},
    {"kind": "voucher", "product_id_matches": "^gift_"},
    {"kind": "postage", "product_id_matches": "^(POST|DOT)$"},
    {"kind": "fee", "product_id_matches": "^(M|m|C2|D|S|B|BANK CHARGES|AMAZONFEE|CRUK)$"},
)
_UCI = {
    "customer_id": "customerid", "transaction_at": "invoicedate", "order_id": "invoiceno invoice",
    "product_id": "stockcode", "description": "description", "quantity": "quantity",
    "unit_price": "unitprice price", "country": "country",
}  # fmt: skip
_KNOWN = (
    KnownSet(
        "UCI Online Retail",
        "invoiceno stockcode quantity invoicedate unitprice customerid",
        _UCI, currency="GBP", zone="Europe/London", rules=_UCI_RULES,
    ),
    KnownSet(
        "UCI Online Retail II",
        "invoice stockcode quantity invoicedate price customerid",
        _UCI, currency="GBP", zone="Europe/London", rules=_UCI_RULES,
    ),
    KnownSet(
        "CDNOW",
        "userid orderdt orderproducts orderamount",
        {"customer_id": "userid", "transaction_at": "orderdt", "quantity": "orderproducts",
         "line_amount": "orderamount"},
        currency="USD",
    ),
    KnownSet(
        "Complete Journey",
        "householdid basketid transactiontimestamp salesvalue",
        {"customer_id": "householdid", "transaction_at": "transactiontimestamp",
         "order_id": "basketid", "product_id": "productid", "quantity": "quantity",
         "line_amount": "salesvalue", "discounts": "retaildisc coupondisc couponmatchdisc",
         "store_id": "storeid"},
        currency="USD",
        rules=({"kind": "adjustment", "quantity": "zero", "line_amount": "zero"},),
    ),
    KnownSet(
        "Complete Journey as dunnhumby publishes it",
        "householdkey basketid day salesvalue transtime",
        {"customer_id": "householdkey", "order_id": "basketid", "product_id": "productid",
         "quantity": "quantity", "line_amount": "salesvalue", "store_id": "storeid"},
        currency="USD",
        note="its DAY counts days from 1 and is no date: add a column of dates first",
    ),
    KnownSet(
        "dunnhumby's sort-of-real set",
        "shopdate spend prodcode custcode basketid",
        {"customer_id": "custcode", "transaction_at": "shopdate", "order_id": "basketid",
         "product_id": "prodcode", "quantity": "quantity", "line_amount": "spend",
         "store_id": "storecode"},
        currency="GBP",
    ),
    KnownSet(
        "Ta-Feng",
        "transactiondt customerid productsubclass productid amount asset salesprice",
        {"customer_id": "customerid", "transaction_at": "transactiondt",
         "product_id": "productid", "quantity": "amount", "line_amount": "salesprice"},
        currency="TWD", zone="Asia/Taipei",
        note="its AMOUNT is units, its SALES_PRICE the money of the line",
    ),
    KnownSet(
        "H&M purchases",
        "tdat customerid articleid price saleschannelid",
        {"customer_id": "customerid", "transaction_at": "tdat", "product_id": "articleid",
         "line_amount": "price", "store_id": "saleschannelid"},
        note="each row is one unit; its prices are scaled, in no real currency",
    ),
    KnownSet(
        "H&M articles",
        "articleid productcode prodname productgroupname indexgroupname",
        {"product_id": "articleid", "description": "prodname",
         "category_levels": "indexgroupname productgroupname producttypename"},
        entity="products",
    ),
    KnownSet(
        "Superstore",
        "rowid orderid orderdate shipdate customerid productid sales",
        {"customer_id": "customerid", "transaction_at": "orderdate", "order_id": "orderid",
         "product_id": "productid", "description": "productname", "quantity": "quantity",
         "line_amount": "sales", "country": "country countryregion"},
        currency="USD",
    ),
    KnownSet(
        "REES46 purchases",
        "eventtime orderid productid categoryid price userid",
        {"customer_id": "userid", "transaction_at": "eventtime", "order_id": "orderid",
         "product_id": "productid", "line_amount": "price"},
        currency="USD",
        note="each row is one unit",
    ),
    KnownSet(
        "REES46 events",
        "eventtime eventtype productid price userid usersession",
        {"customer_id": "userid", "event_at": "eventtime", "event_type": "eventtype",
         "product_id": "productid"},
        entity="events",
        note="purchases are among the events: to segment by them, filter those rows into a file",
    ),
    KnownSet(
        "Instacart orders",
        "orderid userid evalset ordernumber orderdow",
        {"customer_id": "userid", "order_id": "orderid"},
        note="it has neither dates nor money: days since the order before cannot be segmented",
    ),
    KnownSet(
        "Instacart products",
        "productid productname aisleid departmentid",
        {"product_id": "productid", "description": "productname",
         "category_levels": "departmentid aisleid"},
        entity="products",
    ),
    KnownSet(
        "Olist orders",
        "orderid customerid orderstatus orderpurchasetimestamp",
        {"customer_id": "customeruniqueid customerid", "transaction_at": "orderpurchasetimestamp",
         "order_id": "orderid", "product_id": "productid",
         "line_amount": "paymentvalue price"},
        currency="BRL", zone="America/Sao_Paulo",
        note="money is in olist_order_payments, and who is who in customer_unique_id of "
             "olist_customers: join them into one file first",
    ),
    KnownSet(
        "Olist order items",
        "orderid orderitemid productid sellerid shippinglimitdate price",
        {"order_id": "orderid", "product_id": "productid", "line_amount": "price"},
        currency="BRL", zone="America/Sao_Paulo",
        note="the customer and the day are in olist_orders: join them into one file first",
    ),
    KnownSet(
        "Olist customers",
        "customerid customeruniqueid customerzipcodeprefix customerstate",
        {"customer_id": "customeruniqueid", "region": "customerstate"},
        entity="customers",
    ),
    KnownSet(
        "Shopify orders",
        "name email createdat lineitemquantity lineitemprice lineitemname",
        {"customer_id": "email", "transaction_at": "createdat", "order_id": "name",
         "product_id": "lineitemsku", "description": "lineitemname",
         "quantity": "lineitemquantity", "unit_price": "lineitemprice",
         "discounts": "lineitemdiscount", "currency": "currency",
         "country": "billingcountry shippingcountry"},
        discounts_deducted=False,
        note="refunds and order discounts are not in its lines",
    ),
    KnownSet(
        "Amazon order report",
        "amazonorderid purchasedate sku itemprice quantity",
        {"customer_id": "buyeremail", "transaction_at": "purchasedate",
         "order_id": "amazonorderid", "product_id": "sku", "description": "productname",
         "quantity": "quantity quantitypurchased", "line_amount": "itemprice",
         "discounts": "itempromotiondiscount", "currency": "currency", "country": "shipcountry",
         "store_id": "saleschannel"},
        discounts_deducted=False,
        note="Amazon gives buyer-email only in some reports: without it, nobody can be segmented",
    ),
)  # fmt: skip


def find_known_set(names: Sequence[str]) -> KnownSet | None:
    """The set whose columns these are; of several, the one with most marks."""
    have = {plain_name(name) for name in names}
    fitting = [known for known in _KNOWN if have.issuperset(known.marks.split())]
    return max(fitting, key=lambda known: len(known.marks.split()), default=None)
