"""Grafana's dashboards as code: `make docs` writes them to deploy/grafana, one JSON file each."""
