"""Carries out what Argo leaves to its executor and agent: data, http and plugin templates.

Each module is a program: `python -m nbflow.agent.http ORDER`. ORDER is a file that engine/agent.py wrote.
"""
