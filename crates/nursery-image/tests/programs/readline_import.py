try:
    import readline
    print(readline.get_history_length(), readline.get_completer(), readline.get_line_buffer())
except ImportError as error:
    print(error)
