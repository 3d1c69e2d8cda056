"""MongoEngine documents as its tutorial teaches, for the two Django peers."""

from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    Document,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    FloatField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
    connect,
)

from benchmarks.peers.shop import DATABASE, MONGODB_URI

connect(DATABASE, host=MONGODB_URI, connect=False, tz_aware=True, uuidRepresentation="standard")
_META = {"auto_create_index": False, "index_cls": False}


class Image(EmbeddedDocument):
    url = StringField()
    alt = StringField()


class Product(Document):
    name = StringField(required=True)
    description = StringField()
    price = FloatField()
    currency = StringField()
    quantity = IntField()
    sku = StringField()
    slug = StringField()
    brand = StringField()
    category = StringField()
    tags = ListField(StringField())
    images = EmbeddedDocumentListField(Image)
    attributes = DictField()
    related_ids = ListField(ObjectIdField())
    status = StringField()
    version = IntField()
    created_at = DateTimeField()
    updated_at = DateTimeField()
    meta = {"collection": "products", **_META}


class User(Document):
    username = StringField()
    hashed_password = StringField()
    is_active = BooleanField()
    meta = {"collection": "users", **_META}


class Line(EmbeddedDocument):
    product_id = ObjectIdField()
    quantity = IntField()
    name_at_add = StringField()
    price_at_add = FloatField()
    added_at = DateTimeField()


class Cart(Document):
    user_id = ObjectIdField()
    items = EmbeddedDocumentListField(Line)
    version = IntField()
    expires_at = DateTimeField()
    updated_at = DateTimeField()
    meta = {"collection": "carts", **_META}
