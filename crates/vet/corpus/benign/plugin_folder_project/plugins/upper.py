def run_upper(text):
    return text.upper()
