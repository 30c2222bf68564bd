"""A Streamlit page with widgets, a chart, a table and a download."""

import random

import streamlit as st

st.title("Harbour traffic")
count = st.slider("Days", 1, 60, 14)
place = st.selectbox("Harbour", ["Malmö", "Kiel", "Turku"])
st.line_chart([random.random() * count for _ in range(count)])
st.dataframe({"day": list(range(count)), "ships": [random.randrange(50) for _ in range(count)]})
if st.button("Recount"):
    st.success(f"Counted {place}")
st.text_input("Note")
st.download_button("Download", "day,ships\n1,2\n", "ships.csv")
st.file_uploader("Upload")
st.tabs(["Map", "Table", "About"])
with st.form("report"):
    st.text_input("Title")
    st.form_submit_button("Save")
