"""A Flask site with Flask-Admin over SQLite."""

import os

from flask import Flask, flash, redirect, render_template_string, request, session, url_for
from flask_admin import Admin
from flask_admin.contrib.fileadmin import FileAdmin
from flask_admin.contrib.sqla import ModelView
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config.update(SECRET_KEY="x", SQLALCHEMY_DATABASE_URI=f"sqlite:///{os.environ['APP']}/f.db")
db = SQLAlchemy(app)


class Member(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80))
    email = db.Column(db.String(120))
    active = db.Column(db.Boolean, default=True)

    def __str__(self):
        return self.name


class Note(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String(80))
    member_id = db.Column(db.ForeignKey(Member.id))
    member = db.relationship(Member)


class MemberView(ModelView):
    column_searchable_list = ("name", "email")
    column_editable_list = ("name", "active")
    can_export = True


class NoteView(ModelView):
    form_ajax_refs = {"member": {"fields": ("name",), "page_size": 10}}


admin = Admin(app, name="Club")
admin.add_view(MemberView(Member, db.session))
admin.add_view(NoteView(Note, db.session))
os.makedirs(os.environ["APP"] + "/files", exist_ok=True)
admin.add_view(FileAdmin(os.environ["APP"] + "/files", "/files/", name="Files"))
FORM = "<!doctype html><title>Club</title>{% for m in get_flashed_messages() %}<p>{{ m }}</p>{% endfor %}<form method=post><input name=name><input name=password type=password><button type=submit>Sign in</button></form><a href=/admin/>Admin</a> <a href=/members>Members</a>"


@app.route("/", methods=["GET", "POST"])
def home():
    if request.method == "POST":
        session["name"] = request.form["name"]
        flash("Welcome")
        return redirect(url_for("members"))
    return render_template_string(FORM)


@app.route("/members")
def members():
    return render_template_string(
        "<!doctype html><ul>{% for m in found %}<li><a href=/members/{{ m.id }}>{{ m.name }}</a>{% endfor %}</ul><a href=/>Home</a>",
        found=Member.query.limit(50).all(),
    )


@app.route("/members/<int:number>")
def member(number):
    return (
        {"id": number, "name": db.session.get(Member, number).name}
        if request.args.get("format") == "json"
        else f"<p>Member {number}</p><a href=/members>All</a>"
    )


with app.app_context():
    db.create_all()
    if not Member.query.first():
        db.session.add_all([Member(name=f"Member {i}", email=f"m{i}@fjord.example") for i in range(60)])
        db.session.commit()
app.run(port=int(os.environ["PORT"]), threaded=True)
