given = "from the file"
count_of = 2
