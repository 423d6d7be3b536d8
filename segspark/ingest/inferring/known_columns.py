"""The usual names of columns in shop exports and public retail sets, for each target column.

Names are in the form that `plain_name` gives; the first of a target's names wins.
"""

import unicodedata
from functools import lru_cache

_TRANSACTIONS = {
    "customer_id": """
        customerid custid customernumber customerno custno customercode custcode customeruniqueid
        customerkey clientid clientno clientnumber userid householdid householdkey hshdnum memberid
        memberno membernumber loyaltyid loyaltycardnumber cardid cardno cardnumber shopperid
        buyerid accountid accountnumber contactid partyid personid visitorid kundennummer kundennr
        kundenid kundennum kundeid debitornummer debitorennummer debitornr debitor kunnr
        auftraggeber numeroclient numclient idclient clientref codeclient clienteid idcliente
        codigocliente numerocliente nocliente buyeremail customeremail billingemail emailbilling
        clientemail useremail emailaddress email mail courriel correo kundenemail customer cust
        client user member buyer kunde cliente acheteur customername billingname buyername
    """,
    "transaction_at": """
        transactiontimestamp transactionat transactiondatetime transactiondate transactiondt
        transactiontime transdate trxdate orderpurchasetimestamp ordertimestamp orderedat
        orderdatetime orderdate orderdt orderplacedat orderplaced purchasetimestamp purchasedate
        purchasedat purchasetime invoicedatetime invoicedate saledatetime saledate salesdate
        saletime salesdatetime tdat shopdate eventtime receiptdate billdate billingdate
        documentdate postingdate createdat createdatutc createddateutc createdutc datecreated
        createddate creationdate created completedat completedtimestamp datecompleted paidat
        paiddate datepaid paymentsdate paymentdate dateofpurchase dateoforder datetime timestamp
        date dateutc dt bestelldatum auftragsdatum rechnungsdatum belegdatum buchungsdatum kaufdatum
        verkaufsdatum bondatum datum zeitstempel audat fkdat erdat bldat budat datecommande
        datedecommande datefacture dateachat datevente horodatage fechapedido fechadepedido
        fechacompra fechafactura fechaventa fecha data purchdate day
    """,
    "order_id": """
        orderid ordernumber orderno ordernum ordercode invoiceid invoiceno invoicenumber invoice
        invno basketid basketnum basketno transactionid transactionno transactionnumber transid
        trxid receiptid receiptno receiptnumber receipt ticketid ticketno billno billid saleid
        salesid salesorder salesordernumber incrementid amazonorderid merchantorderid order
        bestellnummer bestellnr bestellung auftragsnummer auftragsnr auftrag rechnungsnummer
        rechnungsnr rechnung belegnummer belegnr bonnummer bonnr vbeln numerocommande
        numcommande commandeid idcommande nocommande refcommande numerofacture numfacture commande
        idpedido pedidoid numeropedido numeropedido pedido factura numerofactura idventa
        documentnumber documentno voucherno paymentintentid
    """,
    "product_id": """
        productid productcode productno productnumber productsku sku skuid itemsku lineitemsku
        itemid itemno itemnumber itemcode stockcode articleid articleno articlenumber articlecode
        prodcode prodid prodnum asin upc ean gtin barcode plu materialnumber variantid
        product item productkey artikelnummer artikelnr artikelid artnr artikel materialnummer
        matnr ean13 produktnummer produktid codeproduit codearticle refproduit referenceproduit
        idproduit referencia idproducto productoid codigoproducto codigoarticulo producto articulo
    """,
    "description": """
        description productdescription productname productnm productdesc producttitle itemname
        itemdescription itemdesc lineitemname prodname title articlename stockdescription
        bezeichnung artikelbezeichnung artikelname produktname produktbezeichnung beschreibung
        arktx designation libelle libelleproduit nomproduit descripcion nombreproducto
        descripcionproducto name detaildesc product item
    """,
    "quantity": """
        quantity qty quantityordered quantitypurchased quantitysold qtyordered lineitemquantity
        itemquantity itemqty orderquantity orderqty units unitssold unitsordered numunits pieces
        count numberofitems itemcount itemssold orderproducts menge anzahl stueck stuck
        bestellmenge verkaufsmenge kwmeng fkimg quantite qte nombre cantidad unidades cant
    """,
    "unit_price": """
        unitprice unitprce priceperunit priceeach itemunitprice unitcost unitsellingprice
        priceperitem lineitemprice itemcost retailprice sellingprice netunitprice
        grossunitprice pricepointamount einzelpreis stueckpreis stuckpreis preisprostuck vkpreis
        netpr einzelpreisbrutto einzelpreisnetto prixunitaire prixunit pu preciounitario
        preciounidad
    """,
    "line_amount": """
        lineamount linetotal linevalue lineprice linesubtotal linenetamount itemtotal itemsubtotal
        rowtotal extendedprice extendedamount extprice salesvalue salesamount saleamount saleprice
        salesprice sales netsales netamount netvalue netrevenue grosssales grossamount totalprice
        totalamount totalsales totalvalue totalcost totalspent amountspent amountpaid spend
        spent revenue turnover subtotal orderamount ordervalue purchaseamount purchasevalue
        transactionamount paymentvalue amountusd amounteur amountgbp gesamtpreis gesamtbetrag
        gesamtsumme
        positionsbetrag zeilenbetrag zeilensumme umsatz betrag summe gesamt netwr nettobetrag
        bruttobetrag nettoumsatz bruttoumsatz warenwert prixtotal montant montanttotal montantttc
        montantht totalttc preciototal importe importetotal monto total amount amt value grandtotal
    """,
    "discounts": """
        discountamount discount discounts linediscount lineitemdiscount itemdiscount
        itempromotiondiscount promotiondiscount promodiscount retaildisc coupondisc
        couponmatchdisc coupondiscount discountapplied discountvalue rabatt rabattbetrag nachlass
        remise montantremise descuento
    """,
    "currency": """
        currency currencycode currencyiso ordercurrency ordercurrencycode curr waers waerk
        wahrung waehrung wahrungscode devise monnaie moneda divisa
    """,
    "country": """
        country countrycode countryname billingcountry billingcountrycode shippingcountry
        shippingcountrycode shipcountry countrybilling countryshipping customercountry
        countryregion countryofresidence cardaddresscountry land rechnungsland lieferland landcode
        lander land1 pays paysfacturation paislivraison pais
    """,
    "store_id": """
        storeid storecode storeno storenumber storename store shopid shop branchid branch
        locationid location outletid outlet registerid saleschannelid saleschannel channel
        purchasepoint fulfillmentchannel filiale filialnummer filialnr filialid markt marktid
        vertriebskanal vkorg magasin idmagasin tienda idtienda sucursal
    """,
}
# What means the price of one unit in some exports and the money of the line in others.
_UNCLEAR_PRICES = frozenset({"price", "itemprice", "preis", "prix", "precio", "pvp", "salesprice"})
_NAMES_OF_PEOPLE = frozenset({"customername", "billingname", "buyername"})
_UNCLEAR_AMOUNTS = frozenset(
    {"amount", "amt", "value", "total", "betrag", "sales", "montant", "importe"}
)

_CUSTOMERS = {
    "valid_from": "validfrom effectivefrom effectivedate updatedat lastupdated asof stand gultigab",
    "country": _TRANSACTIONS["country"],
    "region": """region state province stateprovince customerstate county zip zipcode postalcode
        postcode customerzipcodeprefix city customercity bundesland plz postleitzahl ort
        departement codepostal ville provincia codigopostal ciudad pincode""",
    "birth_date": """birthdate dateofbirth birthday dob born geburtsdatum gebdatum datenaissance
        datedenaissance fechanacimiento fechadenacimiento""",
}
_EVENTS = {
    "event_type": """eventtype event eventname action activity activitytype type interaction
        ereignis aktion evenement evento behavior""",
    "campaign_id": "campaignid campaign campaignname kampagne campagne campana",
    "channel": "channel medium source platform device kanal canal",
}
_PRODUCTS = {
    "brand": "brand brandname manufacturer vendor marke hersteller marque marca",
    "category_levels": """department departmentid aisle aisleid division divisionid section
        sectionid category categoryname categoryid categorycode productcategory
        productcategoryname productgroup productgroupname producttype producttypename subcategory
        subcategoryname productsubclass garmentgroupname indexname indexgroupname sectionname
        departmentname commodity commoditydesc subcommoditydesc productclass family class kategorie
        warengruppe warengruppenname unterkategorie categorie souscategorie categoria
        subcategoria""",
}
_PERSONAL = (
    "name", "email", "mail", "phone", "telefon", "mobile", "fax", "street", "address", "adresse",
    "strasse", "iban", "surname", "vorname", "nachname", "password", "nom", "prenom", "nombre",
    "direccion",
)  # fmt: skip
_CONSENTS = ("consent", "optin", "subscribed", "newsletter", "acceptsmarketing", "einwilligung")


def plain_name(name: str) -> str:
    """A name without accents, case and anything but letters and digits."""
    folded = unicodedata.normalize("NFKD", name.casefold())
    return "".join(sign for sign in folded if sign.isalnum())


@lru_cache
def usual_names(entity: str, target: str) -> tuple[str, ...]:
    """Usual names of a target column, the most telling first; empty where there are none."""
    if entity != "transactions" and target in {"customer_id", "product_id", "description"}:
        return usual_names("transactions", target)
    if target == "event_at":
        return usual_names("transactions", "transaction_at")
    tables = {
        "transactions": _TRANSACTIONS,
        "customers": _CUSTOMERS,
        "events": _EVENTS,
        "products": _PRODUCTS,
    }
    names = tuple(tables[entity].get(target, "").split())
    if target == "unit_price":
        return (*names, *sorted(_UNCLEAR_PRICES))
    return names


@lru_cache
def is_known_name(name: str) -> bool:
    """Whether any target column is usually called so."""
    plain = plain_name(name)
    tables = (_TRANSACTIONS, _CUSTOMERS, _EVENTS, _PRODUCTS)
    known = {word for table in tables for names in table.values() for word in names.split()}
    return plain in known | _UNCLEAR_PRICES | {"id"}


def is_clear_money(name: str) -> bool:
    """Whether the name tells the price of a unit from the money of a line."""
    return plain_name(name) not in _UNCLEAR_PRICES | _UNCLEAR_AMOUNTS


def is_unique_name(name: str) -> bool:
    """Whether a column of that name tells customers apart; people of one name are not."""
    return plain_name(name) not in _NAMES_OF_PEOPLE


def is_personal(name: str) -> bool:
    """Whether a column seems to name, or to lead to, a person beyond the id."""
    plain = plain_name(name)
    if plain.startswith(("product", "category", "brand", "item", "campaign")):
        return False
    return any(word in plain for word in _PERSONAL)


def is_consent(name: str) -> bool:
    """Whether a column seems to say what a customer agreed to."""
    return any(word in plain_name(name) for word in _CONSENTS)
