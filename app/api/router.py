"""All routes of the REST interface."""

from fastapi import APIRouter

from app.api import admin, billing, health, keys, model_catalog, predict, usage

v1 = APIRouter(prefix="/v1")
for module in (predict, model_catalog, keys, usage, billing, admin):
    v1.include_router(module.router)

operations = health.router
