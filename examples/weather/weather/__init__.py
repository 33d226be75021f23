"""Seattle's weather: files that land each day, reports on them, and old months worked through again."""
