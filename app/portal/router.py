"""All pages."""

from fastapi import APIRouter

from app.portal import landing, preferences_page, usage_page

pages = APIRouter()
for module in (landing, preferences_page, usage_page):
    pages.include_router(module.router)
