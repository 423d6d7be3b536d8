"""Pages for people: plain values in, text out; knows no Spark and no stage."""
