"""Faults against real workers on a real Apache Kafka: is anything lost, repeated or out of order, and how long until it goes on?"""
