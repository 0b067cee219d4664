# objects.py - what a script does: strings, lists and a dictionary. With PYTHONMALLOC=malloc each is a malloc.
table = {}
for number in range(200000):
    table[str(number)] = [number, str(number * 7)]
print(sum(len(entry[1]) for entry in table.values()))
