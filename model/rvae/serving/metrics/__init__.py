"""What a server measures, and how it is read.

Workers count in shared memory, the endpoint's process adds up what all of them have counted.

report.py       what a service tells of its work
measures.py     what is counted, and in which buckets
counts_file.py  where a worker counts
meter.py        a worker's side: counts
totals.py       the other side: reads all workers, and keeps what ended ones have counted
families.py     what was counted → metrics of Prometheus
server_families.py  what the server does and holds → metrics of Prometheus
page.py         all of them in one text
"""
