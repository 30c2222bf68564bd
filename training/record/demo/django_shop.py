"""A small Django site in one file: the admin, a browsable REST API, an OpenAPI page, and plain forms and lists."""

import csv
import os
import random
import sys
from pathlib import Path

import django
from django.conf import settings

NAME = "django_shop"
HERE = Path(os.environ.get("APP", "."))
settings.configure(
    DEBUG=False, SECRET_KEY="recorded-only", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    CSRF_TRUSTED_ORIGINS=["https://*.example"], SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"), USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": HERE / "shop.sqlite3"}},
    INSTALLED_APPS=[
        "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages",
        "django.contrib.staticfiles", "rest_framework", "django_filters", "drf_spectacular", "drf_spectacular_sidecar",
    ],
    MIDDLEWARE=[
        "whitenoise.middleware.WhiteNoiseMiddleware", "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware", "django.middleware.http.ConditionalGetMiddleware",
    ],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
        "OPTIONS": {"context_processors": [
            "django.template.context_processors.request", "django.contrib.auth.context_processors.auth", "django.contrib.messages.context_processors.messages",
        ]},
    }],
    STATIC_URL="/static/", STATIC_ROOT=HERE / "static", WHITENOISE_USE_FINDERS=True, WHITENOISE_AUTOREFRESH=True,
    REST_FRAMEWORK={
        "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema", "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
        "PAGE_SIZE": 20, "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend", "rest_framework.filters.SearchFilter"],
    },
    SPECTACULAR_SETTINGS={"TITLE": "Shop", "SWAGGER_UI_DIST": "SIDECAR", "REDOC_DIST": "SIDECAR", "SWAGGER_UI_FAVICON_HREF": "SIDECAR"},
    LOGIN_REDIRECT_URL="/",
)  # fmt: skip
django.setup()

from django import forms  # noqa: E402
from django.contrib import admin  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command, execute_from_command_line  # noqa: E402
from django.core.paginator import Paginator  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.http import HttpResponse, JsonResponse  # noqa: E402
from django.shortcuts import get_object_or_404, redirect  # noqa: E402
from django.template import engines  # noqa: E402
from django.urls import include, path  # noqa: E402
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView  # noqa: E402
from rest_framework import routers, serializers, viewsets  # noqa: E402


class Product(models.Model):
    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    stock = models.IntegerField(default=0)
    kind = models.CharField(max_length=20, default="tool")

    class Meta:
        app_label = "auth"

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    product = models.ForeignKey(Product, models.CASCADE)
    email = models.EmailField()
    amount = models.IntegerField(default=1)
    made = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "auth"


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ("name", "price", "stock", "kind")
    list_filter = ("kind",)
    search_fields = ("name",)


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    autocomplete_fields = ("product",)
    list_display = ("id", "email", "product", "made")
    date_hierarchy = "made"


class ProductSerializer(serializers.ModelSerializer):
    class Meta:
        model = Product
        fields = "__all__"


class OrderSerializer(serializers.ModelSerializer):
    class Meta:
        model = Order
        fields = "__all__"


class ProductView(viewsets.ModelViewSet):
    queryset = Product.objects.order_by("id")
    serializer_class = ProductSerializer
    filterset_fields = ("kind",)
    search_fields = ("name",)


class OrderView(viewsets.ModelViewSet):
    queryset = Order.objects.order_by("id")
    serializer_class = OrderSerializer


class OrderForm(forms.ModelForm):
    class Meta:
        model = Order
        fields = ("product", "email", "amount")


router = routers.DefaultRouter()
router.register("products", ProductView)
router.register("orders", OrderView)

PAGE = """<!doctype html><title>Shop</title><link rel=stylesheet href=/static/admin/css/base.css><link rel=icon href=/static/admin/img/icon-yes.svg>
<h1>Shop</h1><form><input name=q type=search value="{{ q }}"><button>Search</button></form>
<ul>{% for p in page %}<li><a href=/shop/{{ p.id }}>{{ p.name }}</a> {{ p.price }}</li>{% endfor %}</ul>
{% if page.has_next %}<a href=?page={{ page.next_page_number }}>Next</a>{% endif %}
<a href=/shop/order>Order</a> <a href=/shop/export.csv download>Export</a> <a href=/shop/price-list.pdf>Price list</a> <a href=/admin/>Admin</a> <a href=/api/>API</a> <a href=/docs/>Docs</a>
<input id=live placeholder="Find as you type"><ol id=hits></ol>
<script>live.oninput = async () => { const r = await fetch('/shop/suggest?term=' + encodeURIComponent(live.value), {headers: {'X-Requested-With': 'XMLHttpRequest'}});
 hits.innerHTML = (await r.json()).map(h => '<li>' + h.label).join('') }
 const poll = new XMLHttpRequest(); poll.open('GET', '/shop/fragment?page={{ page.number }}'); poll.send()</script>"""
FORM = """<!doctype html><title>Order</title><form method=post>{% csrf_token %}{{ form.as_p }}<button type=submit>Order now</button></form><a href=/>Back</a>"""


def render(request, text, **context):
    return HttpResponse(engines["django"].from_string(text).render(context, request))


def home(request):
    q = request.GET.get("q", "")
    page = Paginator(Product.objects.filter(name__icontains=q).order_by("id"), 12).get_page(request.GET.get("page"))
    return render(request, PAGE, page=page, q=q)


def product(request, number):
    found = get_object_or_404(Product, id=number)
    return render(
        request,
        "<!doctype html><title>{{ p }}</title><h1>{{ p }}</h1><p>{{ p.price }}</p><a href=/shop/order?product={{ p.id }}>Buy</a> <a href=/>Back</a>",
        p=found,
    )


def order(request):
    form = OrderForm(request.POST or None, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("/shop/thanks")
    return render(request, FORM, form=form)


def thanks(request):
    return render(request, "<!doctype html><title>Thanks</title><p>Thank you.</p><a href=/>Home</a>")


def suggest(request):
    found = Product.objects.filter(name__icontains=request.GET.get("term", ""))[:8]
    return JsonResponse([{"id": p.id, "label": p.name} for p in found], safe=False)


def fragment(request):
    return HttpResponse("<p>Free shipping this week</p>")


def export(request):
    answer = HttpResponse(content_type="text/csv", headers={"Content-Disposition": 'attachment; filename="products.csv"'})
    rows = csv.writer(answer)
    for p in Product.objects.order_by("id"):
        rows.writerow([p.id, p.name, p.price, p.stock])
    return answer


def price_list(request):
    return HttpResponse(
        b"%PDF-1.4\n" + b"0" * 5000, content_type="application/pdf", headers={"Content-Disposition": "attachment; filename=prices.pdf"}
    )


urlpatterns = [
    path("", home), path("shop/<int:number>", product), path("shop/order", order), path("shop/thanks", thanks), path("shop/suggest", suggest),
    path("shop/fragment", fragment), path("shop/export.csv", export), path("shop/price-list.pdf", price_list), path("admin/", admin.site.urls),
    path("api/", include(router.urls)), path("api-auth/", include("rest_framework.urls")), path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="schema")), path("redoc/", SpectacularRedocView.as_view(url_name="schema")),
]  # fmt: skip
application = get_wsgi_application()

if __name__ == "__main__" and sys.argv[1:] == ["make"]:
    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Product)
        editor.create_model(Order)
    User.objects.create_superuser("admin", "admin@fjord.example", "Sommer-2024!x")
    for number in range(60):
        Product.objects.create(
            name=f"{random.choice(['Oak', 'Steel', 'Blue', 'North'])} {random.choice(['lamp', 'saw', 'rope', 'report box'])} {number}",
            price=number + 0.5,
            stock=number,
        )
    for number in range(30):
        Order.objects.create(product_id=number + 1, email=f"c{number}@fjord.example")
elif __name__ == "__main__":
    execute_from_command_line(sys.argv)
