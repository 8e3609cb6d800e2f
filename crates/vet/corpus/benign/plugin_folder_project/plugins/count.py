def run_count(text):
    return len(text.split())
