"""Write the JSON Schema of every contract to ``assets/``: ``python -m cuesense.schemas``, after a field was added."""

from cuesense import package_files
from cuesense.schemas.schema_files import write_schemas

if __name__ == "__main__":
    write_schemas(package_files.folder("assets"))
